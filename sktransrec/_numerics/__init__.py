"""Arrays in, arrays out: what knows neither estimators nor domains."""
