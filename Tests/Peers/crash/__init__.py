"""kill -9 at random moments under load, judged by a journal of every send, acknowledgement and poll."""
