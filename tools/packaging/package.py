"""Recipe for Spack: copy to packages/halograft/package.py of a repository of your own."""

from spack.package import *


class Halograft(CMakePackage):
    """Learns the galaxy-halo relation from zoom catalogues and grafts galaxies onto dark-matter-only volumes."""

    license("GPL-3.0-or-later")

    # A release needs its archive and checksum here; until then: spack develop --path SOURCE halograft@main
    version("main")

    depends_on("c", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3.1:")
    depends_on("hdf5@1.10: +mpi")
    depends_on("fftw@3.3: +mpi +openmp precision=float,double")
    depends_on("gsl@2.5:")
    depends_on("libyaml")
    depends_on("xxhash@0.8:")
    depends_on("zlib-api")

    def cmake_args(self):
        return [self.define("BUILD_TESTING", False)]
