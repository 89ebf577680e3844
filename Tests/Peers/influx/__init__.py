"""InfluxDB as the judge: the real server, the scripts that record its answers, and the program that records them."""
