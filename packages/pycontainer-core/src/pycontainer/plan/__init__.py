"""What will be done, before it is done: config and project become a `BuildPlan`."""
