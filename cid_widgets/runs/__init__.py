"""Templates run on images, and watching them."""
