"""French catalogues."""
