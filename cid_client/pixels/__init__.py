"""Arrays: pixels read lazily, results written. Only this imports zarr and dask."""
