"""What every front end needs and none should write twice: the words for errors and events.

    loaded = load_config(flags, environment=os.environ, tables=[own_table])
    try:
        result = ImageBuilder(loaded.config, adapt=OwnProject, emit=show).build()
    except Exception as error:
        message = Message.of(foreseen(error), spell=flag)

`docs/how-to/write-a-front-end.md` has a whole one.
"""
