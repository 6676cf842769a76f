"""Records of runs as a Workflow Run RO-Crate (version 0.5), one module for each profile."""
