while true; done
