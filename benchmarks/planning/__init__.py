"""What the planner's measurement writes."""
