"""Plates whose planes are TIFFs that one XML file lists: Yokogawa CellVoyager, Opera, Operetta."""
