"""Tools around halograft's output files: reading statistics, drawing figures, building the report.

Pure Python with numpy, h5py and matplotlib; never needed to run the program itself.
"""
