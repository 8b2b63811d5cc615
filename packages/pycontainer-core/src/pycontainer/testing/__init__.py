"""For tests of this project and of front ends: a fake registry, forged wheels, suites to inherit."""
