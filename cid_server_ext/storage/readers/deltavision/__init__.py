"""DeltaVision and Priism: DV and R3D."""
