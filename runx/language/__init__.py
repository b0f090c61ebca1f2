"""Small languages: YAML that keeps its text, numbers, durations, expressions, the shell's words."""
