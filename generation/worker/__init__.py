"""The supervisor and its hands: takes tasks, makes batches of them, and watches the device hosts."""
