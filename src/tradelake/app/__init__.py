"""The app: a book in the browser, read only, on this machine.

`notebook` is the page as a marimo notebook, thin; what a page shows is made by functions of a book and of what is asked
(`asked`), as frames and markup, without a browser. `serving` starts and stops it.
"""
