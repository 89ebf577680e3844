"""Every client that the tests run, by name."""

from . import aio, confluent, kafkapython, kcat
from .remote import Remote

NEW = {"kcat": kcat, "confluent-kafka": confluent, "kafka-python": kafkapython, "aiokafka": aio}
OLD = {
    f"{name}-{year}": Remote(year, module)
    for year in (2023, 2024)
    for name, module in (("confluent-kafka", "confluent"), ("kafka-python", "kafkapython"), ("aiokafka", "aio"))
}
ALL = {**NEW, **OLD}
