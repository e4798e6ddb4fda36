"""Who is who: evidence between records, clusters that hold no contradiction, and ids that outlive every run."""
