"""OME's model: from XML, to XML, over several files, and what CID takes from it."""
