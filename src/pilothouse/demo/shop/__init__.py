"""The shop: four small HTTP services, each its own process, that a demo can release a new version of.

```
visitors -> gateway -> catalog
                    -> checkout -> catalog
                                -> payments
```

Each is started with `python -m pilothouse.demo.shop.NAME`, is configured by its environment only
(`settings.py`; the OpenTelemetry SDK reads its own `OTEL_*` variables) and reports traces, metrics, logs and
profiles with stock libraries. Nothing here knows Pilothouse: any OTLP and Pyroscope receiver will do.
"""
