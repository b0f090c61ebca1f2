"""What is behind logx."""
