"""MetaMorph and MetaXpress: .nd with STK or TIFF, ImageXpress plates."""
