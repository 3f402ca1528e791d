"""NVIDIA DSX Flex: a grid operator's targets by MQTT, signed, and what the site answers.

Source: NVIDIA DSX Flex 1.7 (CloudEvents 1.0.2, structured JSON, MQTT 3.1.1).
"""
