"""The main job, shown: two services, a receiver and a walk in seven steps."""
