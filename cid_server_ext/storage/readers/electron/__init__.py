"""Electron microscopy: MRC and CCP4."""
