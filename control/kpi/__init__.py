"""Key performance indicators: pure functions of energies."""
