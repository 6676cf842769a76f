"""Fluorescence lifetime: Becker & Hickl SDT, SimFCS R64 and REF."""
