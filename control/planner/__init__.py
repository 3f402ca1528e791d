"""The plan of the running site: what it is told, solved in a process of its own, and kept in force."""
