"""The live page: a net that learns while you watch, in the browser of this machine.

| module | what it has |
|---|---|
| `server` `guard` `tabs` | routes; who is let in; what each open page is sent |
| `commands` | what a page may ask for, checked |
| `session` `lesson` `settings` | the thread that learns; net, text and trainer; the form |
| `snapshot` `curve` `race` | what is shown, thinned; beside the old demo |
| `look` | inside the net |
| `first` | the model that comes with it |
| `page` | the page itself |

The thread that learns owns the model and writes into a `Board`; pages read it at most ten
times a second. What a page asks of the model is done between two updates, or on a copy.
"""
