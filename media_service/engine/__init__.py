"""The conversation as a pure machine: events in, actions out. No socket, no clock, no await, no environment."""
