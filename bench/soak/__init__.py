"""Mixed load with questions, restarts and kill -9 at random: is anything lost, does memory grow, do latencies hold?"""
