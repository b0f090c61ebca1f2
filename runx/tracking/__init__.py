"""What stands behind logx."""
