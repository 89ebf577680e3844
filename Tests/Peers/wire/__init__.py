"""A small encoder and decoder of Kafka's protocol, written for these tests alone.

It shares nothing with the server's: both come from Kafka's message definitions by different hands, so an
error in one of them shows. `test_wire.py` compares it with kafka-python's classes byte for byte.
"""
