"""What files tell of runs and experiments; who may write what."""
