"""Emergency and demand response: what was asked, what is done for it, and the way back."""
