"""Ten thousand manifests through `pilothouse check`: seconds, CPU and peak memory."""
