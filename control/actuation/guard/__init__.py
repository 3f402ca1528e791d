"""What may be done at all: pure rules that stand before every action and know nothing of the planner."""
