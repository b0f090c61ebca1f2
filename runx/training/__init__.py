"""What a training script is served with: everything behind the door that is logx."""
