"""Commands for the scripts of this folder."""

import gdb


class Try(gdb.Command):
    """try COMMAND: an error is printed instead of ending the script."""

    def __init__(self):
        super().__init__("try", gdb.COMMAND_SUPPORT)

    def invoke(self, argument, from_tty):
        try:
            gdb.execute(argument)
        except gdb.error as error:
            print(error)


Try()
