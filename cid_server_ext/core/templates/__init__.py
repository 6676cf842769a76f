"""Templates: notebooks with a manifest, published in versions, and what they ask of an image."""
