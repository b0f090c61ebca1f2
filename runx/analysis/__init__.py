"""What moves a metric, whether settings differ, how it went."""
