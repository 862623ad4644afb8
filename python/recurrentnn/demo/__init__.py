"""The live page: a net that learns while you watch, in the browser of this machine.

| module | what it has |
|---|---|
| `server` `guard` `tabs` | routes; who is let in; what each open page is sent |
| `commands` | what a page may ask for, checked |
| `session` `lesson` `first` | the thread that learns; what it learns; the first one |
| `settings` `form` | what the page sets, read as the command reads it; its fields |
| `snapshot` `curve` `race` | what is shown, thinned; beside the old demo |
| `look` `files` | inside the net; model files in and out |
| `page` | the page itself |

The thread that learns owns the model and writes into a `Board`; pages read it at most
ten times a second. What a page asks of the model is done between two updates, or on a
copy.
"""
