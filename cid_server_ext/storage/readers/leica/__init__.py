"""Leica: LIF and LOF."""
