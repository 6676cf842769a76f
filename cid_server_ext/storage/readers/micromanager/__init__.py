"""Micro-Manager: folders of single planes, stacks (MMStack) and NDTiff."""
