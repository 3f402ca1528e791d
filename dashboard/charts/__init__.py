"""What is drawn: pure functions from documents to markup and chart options."""
