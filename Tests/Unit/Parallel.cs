using Xunit.v3;

// Twice as many as a small machine has processors: some tests wait out a second or two, which is no reason for others to.
[assembly: Parallelization(MaxThreads = 4)]
