"""Message codes and their catalogues."""
