"""The register of microscopes."""
