"""The second door: MovieDataset resources of a Kubernetes cluster, followed and summed up."""
