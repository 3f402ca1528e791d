"""Tables of the site file that say how the plant may be acted on, one module per area."""
