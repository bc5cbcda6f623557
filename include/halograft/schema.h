/** The one table of parameters. A line is the whole cost of a parameter:
 * P(type, key, unit or choices, default or NULL, lowest, highest, "help").
 *
 * Types: REAL (with a canonical unit, "" = dimensionless), INT, BOOL, STRING, CHOICE (choices
 * separated by '|'), REALS and STRINGS (lists). Defaults are texts and go through the same
 * parser as a user's. The open sections Features, Targets and Samples have no table. Keys of
 * the section Run, and paths of the section Output, do not affect results. Layer: conf.
 */
#ifndef HALOGRAFT_SCHEMA_H
#define HALOGRAFT_SCHEMA_H

/* clang-format off */
#define HG_PARAMS_META(P) \
    P(STRING, name, "", "halograft", 0, 0, "name of the run, used in titles and file attributes") \
    P(INT, seed, "", "1", 0, 9e15, "seed of all random numbers")

#define HG_PARAMS_MOCK(P) \
    P(REAL, box, "Mpc", "500 Mpc", 20, 1e5, "side of the periodic parent box") \
    P(INT, mesh, "", "256", 8, 4096, "mesh cells per side, even") \
    P(REAL, redshift, "", "0", 0, 20, "redshift of the universe") \
    P(REAL, h, "", "0.6774", 0.3, 1.2, "Hubble parameter / (100 km/s/Mpc)") \
    P(REAL, omega_m, "", "0.3089", 0.05, 1, "matter density; the universe is flat") \
    P(REAL, omega_b, "", "0.0486", 0.001, 0.3, "baryon density, part of omega_m") \
    P(REAL, sigma_8, "", "0.8159", 0.2, 2, "rms linear overdensity in 8 Mpc/h today") \
    P(REAL, n_s, "", "0.9667", 0.5, 1.5, "slope of the primordial power spectrum") \
    P(CHOICE, mass_function, "tinker|sheth-tormen", "tinker", 0, 0, "abundance and bias of haloes by M200c") \
    P(REAL, mass_min, "Msun", "1e11 Msun", 1e8, 1e15, "least M200c of hosts and least peak mass of subhaloes") \
    P(REAL, particle_mass, "Msun", "1.5e8 Msun", 1, 1e14, "mass of the particle that sets n_part and the noise") \
    P(BOOL, fixed, "", "false", 0, 0, "modes of fixed amplitude (phases stay random)") \
    P(BOOL, paired, "", "false", 0, 0, "modes of opposite sign") \
    P(REAL, environment_radius, "Mpc", "8 Mpc", 0.1, 1000, "top hat of the linear overdensity that assembly bias follows") \
    P(REAL, concentration, "", "8", 2, 30, "median concentration at 1e12 Msun and redshift 0") \
    P(REAL, concentration_slope, "", "-0.09", -0.5, 0.5, "slope of the concentration with mass") \
    P(REAL, concentration_scatter, "", "0.11", 0, 0.5, "scatter of the concentration in dex") \
    P(REAL, spin_scatter, "", "0.23", 0, 1, "scatter of the spin in dex about its median of 0.035") \
    P(REAL, concentration_environment, "", "0.2", -0.9, 0.9, "correlation of concentration and environment at fixed mass") \
    P(REAL, formation_environment, "", "-0.2", -0.9, 0.9, "correlation of formation time and environment at fixed mass") \
    P(REAL, spin_environment, "", "0.1", -0.9, 0.9, "correlation of spin and environment at fixed mass") \
    P(REAL, concentration_formation, "", "-0.7", -0.95, 0.95, "correlation of concentration and formation time at fixed mass") \
    P(REAL, concentration_spin, "", "-0.2", -0.9, 0.9, "correlation of concentration and spin at fixed mass") \
    P(REAL, resolution_noise, "", "0", 0, 10, "relative noise of measured properties in units of n_part^-1/2") \
    P(REAL, subhaloes, "", "0.06", 0, 1, "subhaloes per unit of ln(m/M), at m = M without the cut; 0 = none") \
    P(REAL, subhalo_slope, "", "0.9", 0.1, 0.99, "slope of the subhalo mass function") \
    P(CHOICE, law, "visible|hidden", "visible", 0, 0, "galaxies follow what the features show, or also the peak mass") \
    P(REAL, law_norm, "", "0", -2, 2, "shift of log10 stellar mass in dex") \
    P(REAL, law_concentration, "", "0.05", -1, 1, "change of log10 stellar mass per sigma of concentration") \
    P(REAL, law_environment, "", "0", -1, 1, "change of log10 stellar mass per sigma of environment, which no feature shows") \
    P(REAL, law_region, "", "0", 0, 1, "rms in dex of a hidden term coherent over 50 Mpc") \
    P(REAL, law_host, "", "0", 0, 1, "rms in dex of a hidden term shared by all galaxies of a host") \
    P(REAL, scatter_low, "", "0.25", 0, 2, "scatter of log10 stellar mass at 1e11 Msun and below") \
    P(REAL, scatter_high, "", "0.12", 0, 2, "scatter of log10 stellar mass at 1e13 Msun and above") \
    P(REAL, chaos, "", "0.7", 0, 1, "share of the scatter's variance that changes with the galaxy seed") \
    P(REAL, quench_offset, "", "-0.6", -20, 20, "log odds of quenching at a stellar mass of 10^10.5 Msun") \
    P(REAL, quench_mass, "", "1.8", -20, 20, "change of the log odds per dex of stellar mass") \
    P(REAL, quench_environment, "", "0", -20, 20, "change of the log odds per sigma of environment") \
    P(REAL, quench_satellite, "", "1.5", -20, 20, "change of the log odds for a satellite at the centre, falling to 0 at R200") \
    P(REAL, quench_formation, "", "0.5", -20, 20, "change of the log odds per sigma of early formation") \
    P(REAL, zero_share, "", "0.3", 0, 1, "share of quenched galaxies without any star formation") \
    P(INT, galaxy_seed, "", "1", 0, 9e15, "seed of the chaotic part of the scatter") \
    P(INT, zooms, "", "40", 0, 999, "number of zoom regions; 0 = none") \
    P(REAL, zoom_radius, "Mpc", "25 Mpc", 1, 1000, "radius of the zoom regions") \
    P(REAL, zoom_buffer, "Mpc", "5 Mpc", 0, 1000, "least gap between zoom regions") \
    P(STRING, zoom_table, "", NULL, 0, 0, "region table with the places and radii of the zooms, such as design writes, in place of zooms, zoom_radius and zoom_buffer") \
    P(INT, twins, "", "0", 0, 99, "further galaxy seeds for every zoom region") \
    P(BOOL, hydro, "", "false", 0, 0, "also write for every zoom region a hydrodynamical and a dark-matter-only run with lists of particles and the known answer, for match") \
    P(REAL, hydro_lost, "", "0.02", 0, 0.5, "share of haloes that one of the two runs lacks, and share of subhaloes that merged with their host in one of them") \
    P(REAL, hydro_exchange, "", "0.2", 0, 1, "share of the particles of a halo that it lost in the hydrodynamical run") \
    P(REAL, hydro_jitter, "", "0.05", 0, 1, "rms shift of the centres of both runs against the parent along each axis, in r200c of the halo's own mass; masses shift by as much in units of 0.5 dex") \
    P(INT, oracle, "", "5", 0, 64, "redraws of the true law with new noise; 0 = none") \
    P(REAL, periodic, "Mpc", "100 Mpc", 0, 1e4, "side of a periodic training volume with its own seed; 0 Mpc = none") \
    P(INT, boxes, "", "0", 0, 999, "number of small boxes with varied cosmology and law; 0 = none") \
    P(REAL, boxes_side, "Mpc", "50 Mpc", 20, 1e4, "side of the small boxes") \
    P(REAL, particles, "", "0", 0, 1, "share of the mesh's matter particles to write as a snapshot; 0 = none")

#define HG_PARAMS_ZOOMS(P) \
    P(STRING, regions, "", NULL, 0, 0, "region table (CSV): one row per zoom region") \
    P(CHOICE, format, "auto|halograft|soap|eagle|subfind|hbt|velociraptor|rockstar|ahf|lgadget3|columns", "auto", 0, 0, "format of the training catalogues") \
    P(STRINGS, files, "", NULL, 0, 0, "training catalogue when there is no region table") \
    P(STRING, mapping, "", NULL, 0, 0, "mapping file of format columns") \
    P(BOOL, partial, "", "false", 0, 0, "accept an incomplete set of files, loudly") \
    P(CHOICE, on_bad_rows, "error|drop", "error", 0, 0, "what to do with rows that hold impossible values") \
    P(CHOICE, features, "hydro|dmo|parent", "hydro", 0, 0, "catalogue that gives the features and Selection.train of the training haloes: that with the galaxies, its dark-matter-only twin, or the parent; dmo and parent need the pairs of halograft match") \
    P(STRINGS, transport, "", NULL, 0, 0, "entries of Features whose values in training haloes are moved, at fixed Match.mass, to the parent's distribution: for finders and resolutions that differ, not for zooms chosen by what the feature shows") \
    P(REAL, contamination_max, "", "0.01", 0, 1, "drop haloes with more mass in low-resolution particles than this share") \
    P(REAL, h, "", NULL, 0.1, 2, "Hubble parameter where the files do not tell, as those of HBT") \
    P(STRING, run, "", "zoom", 0, 0, "name of the simulation, part of a halo's identity") \
    P(STRING, run_table, "", NULL, 0, 0, "parameters of runs (CSV), added to every halo as columns: the first column tells the run, by a column of that name in the catalogue or by the name of the run")

#define HG_PARAMS_PARENT(P) \
    P(CHOICE, format, "auto|halograft|soap|eagle|subfind|hbt|velociraptor|rockstar|ahf|lgadget3|columns", "auto", 0, 0, "format of the parent catalogue") \
    P(STRINGS, files, "", NULL, 0, 0, "files of the parent catalogue, or one pattern with {file} and {snap}") \
    P(STRING, mapping, "", NULL, 0, 0, "mapping file of format columns") \
    P(BOOL, partial, "", "false", 0, 0, "accept an incomplete set of files, loudly") \
    P(CHOICE, on_bad_rows, "error|drop|flag", "error", 0, 0, "what to do with rows that hold impossible values") \
    P(STRING, run, "", "parent", 0, 0, "name of the simulation, part of a halo's identity") \
    P(STRING, run_table, "", NULL, 0, 0, "parameters of runs (CSV), added to every halo as columns, as in Zooms.run_table") \
    P(REAL, redshift_tolerance, "", "0.01", 0, 100, "largest difference in redshift between model and parent") \
    P(REAL, cosmology_tolerance, "", "0.01", 0, 10, "largest relative difference in Omega_m and h between model and parent") \
    P(CHOICE, baryon_factor, "auto|none", "auto", 0, 0, "auto = where the model was trained on a hydrodynamical run and the parent has dark matter only, features see m_dm times 1 - Omega_b/Omega_m") \
    P(REAL, box, "Mpc", NULL, 0, 1e6, "side of the box where the files do not tell") \
    P(REAL, redshift, "", NULL, -1, 1e4, "redshift where the files do not tell") \
    P(REAL, h, "", NULL, 0.1, 2, "Hubble parameter where the files do not tell") \
    P(REAL, particle_mass, "Msun", NULL, 0, 1e20, "mass of a particle where the files do not tell") \
    P(REAL, omega_m, "", NULL, 0, 2, "matter density where the files do not tell") \
    P(REAL, omega_b, "", NULL, 0, 1, "baryon density where the files do not tell") \
    P(STRINGS, keep, "", NULL, 0, 0, "input columns to carry into the output besides id and position")

#define HG_PARAMS_CONVERT(P) \
    P(STRING, name, "", "haloes", 0, 0, "convert without --out: name of the catalogue without .hdf5, in Output.folder") \
    P(STRING, select, "", NULL, 0, 0, "haloes to keep, an expression such as 'n_part >= 100'; may use host_X of Convert.hosts") \
    P(REAL, fraction, "", "1", 0, 1, "share of the haloes to keep, chosen by a keyed hash of the halo") \
    P(STRINGS, columns, "", NULL, 0, 0, "columns to write besides id, row, position, central, host_id, region and run; default: all with canonical names") \
    P(CHOICE, style, "plain|halotools", "plain", 0, 0, "export: halograft's own names and units, or those of halotools (halo_NAME, Mpc/h, Msun/h)") \
    P(STRINGS, hosts, "", NULL, 0, 0, "columns X of the top host to add as host_X, such as [m200c, vmax]; also adds host_row, the host's row in the input") \
    P(BOOL, orphans, "", "false", 0, 0, "add subhaloes that were lost and would live on, found in the trees of section History: further rows with orphan = 1 behind all others; every row gets the columns of section History") \
    P(REAL, orphan_friction, "", "2", 0, 1e3, "factor on the time after which dynamical friction ends an orphan; 0 = it never does")

#define HG_PARAMS_SELECTION(P) \
    P(STRING, train, "", NULL, 0, 0, "rows to train on, an expression such as 'central == 1 && m200c > 1e11'") \
    P(STRING, apply, "", NULL, 0, 0, "rows to predict; the others get NaN") \
    P(REAL, train_fraction, "", "1", 0, 1, "share of the selected training rows used, chosen by a keyed hash of the halo or its group") \
    P(STRING, group, "", NULL, 0, 0, "column that groups rows for bags and splits; default: region where there is one")

#define HG_PARAMS_MATCH(P) \
    P(CHOICE, ids, "auto|halograft|gadget|eagle|hbt|ahf|rockstar", "auto", 0, 0, "format of the lists of particles in the columns hydro_ids and dmo_ids of the region table") \
    P(STRING, hydro_rule, "", NULL, 0, 0, "steps that make particle ids of the hydrodynamical run those of the other, joined by |: even, odd, < N, >= N, + N, - N, * N, / N, such as 'even | / 2'") \
    P(STRING, dmo_rule, "", NULL, 0, 0, "the same for ids of the dark-matter-only run") \
    P(INT, most, "", "50", 1, 1e6, "particles of a halo that vote for its twin: its most bound ones") \
    P(INT, least, "", "10", 1, 1e6, "votes that a pair needs in each direction") \
    P(REAL, shared, "", "0.5", 0, 1, "share of its votes that each halo of a pair must give to the other") \
    P(REAL, rank_slope, "", "0.6666666666666666", 0, 10, "the particle bound k-th most weighs k^-rank_slope in the choice of a twin") \
    P(STRING, mass, "", "m_bound", 0, 0, "column with the mass of a halo itself, for match --to-parent and for match fractions") \
    P(REAL, distance, "", "0.5", 0.001, 100, "match --to-parent: largest distance of a halo from its partner in r200c of its mass") \
    P(REAL, mass_ratio, "", "0.3", 0.001, 10, "match --to-parent: largest difference of log10 mass") \
    P(REAL, mass_shift, "", "0", -3, 3, "match --to-parent: added to log10 mass of the zooms' haloes, such as 0.074 for hydrodynamical runs") \
    P(BOOL, csv, "", "true", 0, 0, "also write the pairs as CSV")

#define HG_PARAMS_ENVIRONMENT(P) \
    P(STRINGS, tracer, "", NULL, 0, 0, "catalogue whose rows trace the surroundings of haloes, in the parent's box; default: the parent itself") \
    P(STRING, tracer_mapping, "", NULL, 0, 0, "mapping file of tracers of format columns") \
    P(STRING, select, "", NULL, 0, 0, "rows that are tracers, an expression such as 'central == 1 && m200c > 1e12'; default: all. They must be complete in the parent") \
    P(STRING, mass, "", "m200c", 0, 0, "expression for the mass of tracers and haloes: it weighs tracers and says which neighbour is more massive") \
    P(CHOICE, weight, "number|mass|both", "number", 0, 0, "densities count tracers (delta_8), sum their masses (delta_mass_8), or both") \
    P(REALS, spheres, "Mpc", NULL, 1e-4, 1e5, "radii of spheres with exact counts, ascending: columns delta_8 for 8 Mpc, delta_0p5 for 0.5 Mpc") \
    P(REALS, gauss, "Mpc", NULL, 1e-4, 1e5, "radii of the density smoothed with a Gaussian, at least 2.5 cells of the mesh: columns delta_gauss_4") \
    P(REALS, top_hat, "Mpc", NULL, 1e-4, 1e5, "radii of the density smoothed with a top hat, likewise: columns delta_tophat_4") \
    P(REALS, tidal, "Mpc", NULL, 1e-4, 1e5, "radii (Gaussian, likewise) of the tidal tensor: columns tidal_4_1, tidal_4_2, tidal_4_3, its eigenvalues, the largest first, whose sum is delta_gauss_4") \
    P(REALS, neighbours, "", NULL, 1, 64, "distances in Mpc to the tracers number N by distance: columns d_1, d_5") \
    P(BOOL, massive, "", "false", 0, 0, "distance in Mpc to the nearest more massive tracer: column d_massive") \
    P(REAL, farthest, "Mpc", "32 Mpc", 1e-3, 1e5, "larger distances to tracers are given as this; at most half the box") \
    P(CHOICE, self, "exclude|include", "exclude", 0, 0, "whether a halo counts in its own environment") \
    P(REAL, self_radius, "Mpc", "0 Mpc", 0, 100, "tracers this near to a halo are the halo itself; larger than 0 where haloes of zooms stand a little off their twins in the parent") \
    P(INT, mesh, "", "256", 8, 8192, "cells per side of the mesh of smoothed fields, even") \
    P(REAL, particles_min, "", "100", 0, 1e9, "refuse tracers of fewer particles: there the parent is not complete") \
    P(CHOICE, zooms, "parent|own", "parent", 0, 0, "haloes of zooms find their surroundings in the parent's box, where their positions lie, or among the haloes of their own catalogue and of its boundary (region table): those whose sphere crosses the edge are then left out of training") \
    P(STRING, folder, "", NULL, 0, 0, "folder of the columns that 'features' makes; default: environment in Output.folder")

#define HG_PARAMS_HISTORY(P) \
    P(STRINGS, files, "", NULL, 0, 0, "merger trees or tracks of the parent: tree_*.dat or hlist_*.list of consistent-trees, SubSnap files of HBT, or a table of links; {snapshot} stands for every number that is there") \
    P(CHOICE, format, "auto|halograft|soap|eagle|subfind|hbt|velociraptor|rockstar|ahf|lgadget3|columns", "auto", 0, 0, "format of the histories") \
    P(STRING, mapping, "", NULL, 0, 0, "mapping file of format columns") \
    P(STRINGS, zooms, "", NULL, 0, 0, "the same for the training catalogues, with {region} for the number of the region; default: the parent's, by the column parent_id where zooms have one, else by id") \
    P(CHOICE, links, "auto|descendant|progenitor|track", "auto", 0, 0, "what joins the objects of a branch: the column descendant_id, the column progenitor_id, or an id that a halo keeps; auto = what is there") \
    P(STRINGS, columns, "", "m_bound", 0, 0, "quantities to follow, at most 4, such as [m_bound, vmax]; the first is the mass, which chooses main progenitors where trees do not mark them") \
    P(REALS, redshifts, "", NULL, 0, 1000, "epochs: columns m_bound_z1 for redshift 1, m_bound_z0p5 for 0.5; 0 before a halo is first found") \
    P(REALS, scales, "", NULL, 1e-4, 10, "epochs as scale factors: columns m_bound_a0p5") \
    P(BOOL, peaks, "", "true", 0, 0, "columns m_bound_peak (largest value), m_bound_peak_scale (its scale factor) and m_bound_half_scale (scale factor at half of the last value)") \
    P(CHOICE, phantoms, "fill|use", "fill", 0, 0, "objects that consistent-trees made up: interpolated over like missing snapshots, or used") \
    P(STRING, scale_table, "", NULL, 0, 0, "text table of snapshot numbers and scale factors, where a history has neither a column scale nor redshift") \
    P(REAL, h, "", NULL, 0.1, 2, "Hubble parameter where the histories do not tell; default: Parent.h") \
    P(INT, rows_per_part, "", "1048576", 1, 16777216, "objects that a rank reads at a time") \
    P(STRING, folder, "", NULL, 0, 0, "folder of the columns that 'features' makes; default: history in Output.folder")

#define HG_PARAMS_MODEL(P) \
    P(STRING, file, "", "model.hdf5", 0, 0, "model file, relative to Output.folder when it has no slash") \
    P(CHOICE, preset, "halograft|scikit-learn|lovell2022", "halograft", 0, 0, "defaults of the tree parameters") \
    P(INT, trees, "", "256", 1, 65535, "number of trees") \
    P(REAL, checkpoint, "s", "600 s", 0, 1e9, "time between files of finished trees, from which train --resume goes on after a stop; 0 = none") \
    P(INT, first_tree, "", "0", 0, 65534, "first tree of a task of a job array") \
    P(INT, task_trees, "", "0", 0, 65535, "grow only so many trees from first_tree on, for train --merge to join; 0 = the whole model") \
    P(CHOICE, splitter, "random|best", "random", 0, 0, "how a node is split: random = at a random threshold per feature (extremely randomised trees), best = at the best boundary between bins (random forest)") \
    P(INT, bins, "", "256", 2, 65536, "most bins of a feature with splitter best; a feature with no more values is split exactly") \
    P(CHOICE, scheme, "auto|trees|rows", "auto", 0, 0, "what is shared out in training: whole trees (every rank holds all rows) or rows (for catalogues no node can hold); auto = trees where they fit into memory") \
    P(INT, cut, "", "0", 0, 4e9, "scheme rows: nodes with at most this many rows are grown by one rank; 0 = 1e6 or a quarter of a rank's rows, whichever is less") \
    P(INT, min_leaf, "", "5", 1, 1e6, "smallest number of haloes in a leaf") \
    P(INT, min_split, "", "2", 2, 1e6, "smallest number of haloes in a node that is split") \
    P(INT, max_depth, "", "0", 0, 1e6, "largest depth, 0 = no limit") \
    P(REAL, max_features, "", "1", 0, 1, "share of the features that compete in a split") \
    P(CHOICE, bag, "auto|none|row|group", "auto", 0, 0, "out-of-bag scheme: auto = group where a group column exists, else row") \
    P(BOOL, weighted, "", "false", 0, 0, "use region weights in training (metrics and mass functions always use them)")

#define HG_PARAMS_SCATTER(P) \
    P(CHOICE, method, "leaf-residual|leaf-value|library|twins|none", "leaf-residual", 0, 0, "how a draw is made: a residual of a training halo near it in a tree, a value from its leaf, a residual by predicted value, a difference of twin runs, or not at all") \
    P(INT, draws, "", "1", 0, 64, "number of realisations") \
    P(REALS, quantiles, "", NULL, 0, 1, "levels of conditional quantiles, such as 0.05, 0.16, 0.5, 0.84, 0.95, ascending: columns X_q05, X_q16, ... of the targets of training haloes in the leaves of all trees; costs several times the mean") \
    P(BOOL, mean, "", "true", 0, 0, "give the mean over trees too; false = only draws of leaf values, each through one tree, in a fraction of the time") \
    P(INT, mates, "", "0", 0, 1e9, "residuals are drawn from at least so many training haloes next to a halo in a tree; 0 = a third of the root of their number, 1 = those of its leaf") \
    P(STRING, library_by, "", "", 0, 0, "feature whose classes have libraries of their own (methods library and twins), such as central; train keeps it with the model") \
    P(REALS, library_edges, "", NULL, -1e30, 1e30, "edges of the classes of library_by, ascending, in the unit of the transformed feature, such as 12, 13 for log10; default: a class for each value")

#define HG_PARAMS_VALIDATE(P) \
    P(STRING, file, "", "validation.hdf5", 0, 0, "statistics file of validate, relative to Output.folder when it has no slash; tables stand beside it") \
    P(CHOICE, by, "auto|region|simulation|group|slabs|rows|column", "auto", 0, 0, "what is held out together: a zoom region, a simulation, a group of Selection.group, a slab of the box, single rows, or what Validate.column says; auto = regions, else simulations, else groups, else rows") \
    P(INT, folds, "", "5", 0, 65535, "number of folds; 0 = each region, simulation or group in turn") \
    P(STRING, column, "", NULL, 0, 0, "by: column: expression that gives the number of the fold of a row") \
    P(CHOICE, axis, "x|y|z", "x", 0, 0, "by: slabs: the axis across which the box is cut") \
    P(REAL, buffer, "Mpc", "0 Mpc", 0, 1e5, "by: slabs: haloes nearer than this to a held-out slab do not train; 0 = the largest radius of section Environment") \
    P(INT, draws, "", "31", 0, 1024, "draws of every held-out halo that are scored; 0 = none") \
    P(STRING, mass, "", NULL, 0, 0, "mass of a halo, a recipe such as 'm200c | log10', in whose bins metrics are given; default: m200c where there is one, else the first feature") \
    P(REAL, mass_width, "", "0.5", 0.01, 100, "width of bins of mass, in the unit of that recipe") \
    P(STRING, central, "", "central == 1", 0, 0, "rows that are centrals; without the column the two kinds are not told apart") \
    P(STRING, overdensity, "", NULL, 0, 0, "expression for the surroundings of a halo; metrics are given by its quarters") \
    P(STRINGS, proxies, "", NULL, 0, 0, "features for isotonic regression, the first also for the line and for abundance matching; default: m_bound and vmax where these are features, else the mass") \
    P(REAL, matching_scatter, "", "0.2", 0, 10, "scatter of abundance matching in the unit of the transformed target") \
    P(REAL, ridge, "", "1", 1e-12, 1e12, "penalty of the polynomial ridge") \
    P(REALS, irreducible, "", NULL, 0, 1e30, "known rms of the scatter that no model can predict, one number per target in their order, 0 = unknown") \
    P(INT, blocks, "", "20", 2, 1000, "errors come from leaving out one of so many blocks of what is held out together") \
    P(BOOL, rows, "", "true", 0, 0, "write truth and predictions of all held-out rows as CSV") \
    P(BOOL, row_features, "", "false", 0, 0, "rows: write also the transformed features of each row, and the folds in whose buffer it lies, to try other methods on the same rows and folds") \
    P(BOOL, parent, "", "false", 0, 0, "compare the training haloes with those of the parent and say what errors to expect there") \
    P(INT, parent_rows, "", "20000", 100, 1e8, "parent: haloes of the parent, and training haloes, that are compared at most") \
    P(REALS, resolution, "", NULL, 1, 1e9, "study of resolution: particle masses of a parent, as multiples of that of the training catalogues, such as [2, 8, 64], to which features are made coarser") \
    P(REALS, resolution_masses, "Msun", NULL, 1, 1e14, "the same as particle masses") \
    P(REAL, particle_mass, "Msun", "0 Msun", 0, 1e14, "particle mass of the training catalogues; 0 = what they tell") \
    P(STRING, particles_of, "", "m_bound", 0, 0, "study of resolution: expression for the mass of a halo, Msun, whose particles are counted") \
    P(REAL, particles_min, "", "50", 1, 1e9, "study of resolution: haloes of fewer particles are lost") \
    P(REAL, softening, "Mpc", "0 Mpc", 0, 10, "study of resolution: Plummer-equivalent softening of the training catalogues, which lowers vmax where r_vmax is known; it grows with the cube root of the particle mass") \
    P(CHOICE, search, "none|grid|random", "none", 0, 0, "look for the best section Model over the same folds instead: every combination of the lists below, or search_points draws from them; a list that is not given stays as the section Model says") \
    P(INT, search_points, "", "64", 1, 65535, "search: random: number of points, which do not change when it grows") \
    P(REALS, search_trees, "", NULL, 1, 65535, "values of Model.trees; search: random draws between the least and the largest, evenly in the logarithm, likewise below") \
    P(STRINGS, search_splitter, "", NULL, 0, 0, "values of Model.splitter; search: random takes one of the list") \
    P(REALS, search_bins, "", NULL, 2, 65536, "values of Model.bins") \
    P(REALS, search_min_leaf, "", NULL, 1, 1e6, "values of Model.min_leaf") \
    P(REALS, search_min_split, "", NULL, 2, 1e6, "values of Model.min_split") \
    P(REALS, search_max_depth, "", NULL, 0, 1e6, "values of Model.max_depth; search: random takes one of the list") \
    P(REALS, search_max_features, "", NULL, 0, 1, "values of Model.max_features; search: random draws evenly between the least and the largest") \
    P(REALS, learning, "", NULL, 0.001, 1, "learning curve: shares of what is held out together to train on, such as 0.1, 0.3, 1, with or without a search") \
    P(STRING, search_file, "", "search.hdf5", 0, 0, "statistics file of a search or learning curve, relative to Output.folder when it has no slash; tables stand beside it")

#define HG_PARAMS_EXPLAIN(P) \
    P(STRING, file, "", "explanation.hdf5", 0, 0, "statistics file of explain, relative to Output.folder when it has no slash; tables stand beside it") \
    P(INT, repeats, "", "5", 0, 1000, "permutations of every feature behind permutation importance; 0 = none") \
    P(STRINGS, groups, "", NULL, 0, 0, "features that are permuted and dropped together too, joined by +, such as m_bound+vmax") \
    P(BOOL, drop, "", "false", 0, 0, "also train forests without each feature and group: as many validations as there are of these") \
    P(INT, rows, "", "1000", 0, 1e9, "training haloes behind curves of dependence, chosen by their key; 0 = no curves") \
    P(INT, points, "", "20", 2, 1000, "points of a curve, at quantiles of the feature; along each side of a plane") \
    P(STRINGS, features, "", NULL, 0, 0, "features to make curves of dependence for; default: all") \
    P(STRINGS, planes, "", NULL, 0, 0, "pairs of features, such as m_bound+vmax, for dependence in two dimensions") \
    P(INT, haloes, "", "100", 0, 1e6, "training haloes, chosen by their key, whose predictions are taken apart (path attributions and Shapley values); 0 = none") \
    P(STRING, parent, "", NULL, 0, 0, "expression that picks haloes of the parent, such as 'm200c > 1e15 Msun' or 'id == 17', at most as many as haloes says: they are taken apart in place of training haloes")

#define HG_PARAMS_MEASURE(P) \
    P(STRINGS, catalogues, "", NULL, 0, 0, "catalogues to measure, name=path; with @draw, @mean or @draws a column X means X_draw, X_mean, or the mean and spread over X_draw, X_draw2, ...; default: draw and mean of the output of apply, and truth.hdf5 and oracle.hdf5 where they stand in Output.folder") \
    P(STRING, mapping, "", NULL, 0, 0, "mapping file of catalogues of format columns (files of the parent take Parent.mapping)") \
    P(STRING, file, "", "statistics.hdf5", 0, 0, "statistics file, relative to Output.folder when it has no slash") \
    P(INT, mesh, "", "256", 4, 65536, "cells per side of the mesh for P(k) and xi(r)") \
    P(CHOICE, assignment, "ngp|cic|tsc|pcs", "pcs", 0, 0, "mass assignment to the mesh") \
    P(BOOL, interlace, "", "true", 0, 0, "paint a second mesh half a cell away, which removes the odd aliases") \
    P(CHOICE, precision, "float|double", "float", 0, 0, "precision of the mesh") \
    P(CHOICE, backend, "auto|slab|pencil", "auto", 0, 0, "how the mesh is cut over ranks: slab = planes, transformed by FFTW-MPI; pencil = rows along z, for any number of ranks; auto = slab while there are at least twice as many planes as ranks and FFTW can count the cells of a rank") \
    P(BOOL, reproducible, "", "false", 0, 0, "the same bits of P(k), P(k, mu) and xi(r) from the mesh for any number of ranks and threads: pencils, sums of integers, up to twice the memory and time; else they agree to 1e-6") \
    P(CHOICE, planning, "estimate|measure", "estimate", 0, 0, "how long FFTW looks for a plan; measure may change the last bits between runs") \
    P(STRING, wisdom, "", NULL, 0, 0, "folder that keeps measured plans for later runs, none = none; default: halograft in $XDG_CACHE_HOME, or in ~/.cache") \
    P(CHOICE, line_of_sight, "none|x|y|z|mean", "none", 0, 0, "axis of the multipoles of P(k) and xi; none = monopole only, mean = the average over x, y and z, with their spread as a check") \
    P(REAL, k_width, "", "1", 0, 1e6, "smallest width of a bin of P(k), in fundamental wave numbers; at least 1") \
    P(REAL, dlnk, "", "0.2", 0, 10, "smallest width of a bin of P(k) in ln k") \
    P(REAL, k_max, "", "0.9", 0.05, 1, "largest k of P(k) as a share of the Nyquist wave number") \
    P(INT, folds, "", "0", 0, 4, "fold the box this many times, by Measure.fold each, and join P_l(k) of all at 0.85 of their Nyquist wave numbers; 0 = none") \
    P(INT, fold, "", "4", 2, 16, "how many times further in k a fold reaches; needs a mesh of 29 cells per side and fold") \
    P(CHOICE, space, "real|redshift|both", "real", 0, 0, "redshift = positions are moved along line_of_sight by v (1 + z) / H(z); P(k), xi(r) and wp(rp) then are those of redshift space; both = in one run") \
    P(STRINGS, cross, "", NULL, 0, 0, "pairs of samples for cross spectra and correlations, a:b within each catalogue, or a:catalogue/b with a sample of one catalogue or reference; the sample all is every row") \
    P(STRINGS, references, "", NULL, 0, 0, "catalogues that are read for Measure.cross only, name=path, for example matter particles with a mapping") \
    P(STRING, reference_mapping, "", NULL, 0, 0, "mapping file of references of format columns") \
    P(INT, wedges, "", "0", 0, 100, "bins of |mu| of P(k, mu), with a line of sight; 0 = none") \
    P(BOOL, pairs, "", "true", 0, 0, "count pairs: xi(r) below 8 cells, where the mesh blurs it, wp(rp), and with a line of sight the multipoles of xi(s)") \
    P(REAL, r_min, "Mpc", "0 Mpc", 0, 1e6, "smallest separation of xi(r); 0 = rp_min with pairs, 8 cells without") \
    P(REAL, r_max, "Mpc", "0 Mpc", 0, 1e6, "largest separation of xi(r), at most half the box; 0 = a quarter of it") \
    P(REAL, dlnr, "", "0.15", 0, 10, "smallest width of a bin of xi(r) in ln r; bins above 8 cells are at least two cells wide") \
    P(REAL, rp_min, "Mpc", "0.2 Mpc", 1e-6, 1e6, "smallest separation of wp(rp)") \
    P(REAL, rp_max, "Mpc", "12 Mpc", 1e-6, 1e6, "largest separation of wp(rp)") \
    P(REAL, rp_dln, "", "0.25", 0.01, 10, "width of the bins of wp(rp) in ln rp") \
    P(REAL, pi_max, "Mpc", "40 Mpc", 0, 1e6, "depth along the line of sight over which wp(rp) is integrated, on either side; 0 = no wp") \
    P(INT, mu_bins, "", "120", 4, 1000, "bins of mu from which the multipoles of xi(s) are made") \
    P(INT, jackknife, "", "0", 0, 20, "regions per side of the box, for jackknife errors and covariances of xi(r), wp(rp) and xi_l(s) from pairs; 0 = none, else at least 3; counting takes a few times longer") \
    P(BOOL, covariance, "", "true", 0, 0, "covariances: Gaussian of P_l, jackknife of what is made of pairs, over draws") \
    P(STRINGS, mass_functions, "", "stellar_mass", 0, 0, "columns to make mass functions of") \
    P(BOOL, zooms, "", "true", 0, 0, "also the weighted mass functions of the zoom regions, with errors from a bootstrap over regions") \
    P(INT, bootstrap, "", "200", 2, 100000, "number of resamplings of the regions") \
    P(REAL, mass_width, "", "0.2", 0.01, 2, "width of the bins of mass functions in dex") \
    P(STRINGS, relations, "", "stellar_mass", 0, 0, "columns whose median, percentiles and scatter are measured against relation_to, or pairs column:other against any other") \
    P(STRING, relation_to, "", "m200c", 0, 0, "column on the x axis of relations") \
    P(STRING, relation_where, "", "central == 1", 0, 0, "rows that enter relations") \
    P(REAL, relation_width, "", "0.2", 0.01, 2, "width of the bins of relations in dex") \
    P(INT, relation_least, "", "10", 2, 1e9, "bins of relations with fewer objects are NaN") \
    P(STRING, host_mass, "", "m200c", 0, 0, "column with the mass of the host halo, of centrals and satellites alike") \
    P(STRING, central, "", "central == 1", 0, 0, "rows that are centrals, one per host") \
    P(BOOL, hod, "", "true", 0, 0, "mean numbers of centrals and satellites of every sample per host, in bins of host_mass as wide as relation_width") \
    P(STRINGS, conditional, "", "stellar_mass", 0, 0, "columns to make mass functions of in bins of host_mass, per host, of centrals and of satellites") \
    P(REALS, host_bins, "Msun", "1e12 Msun, 1e13 Msun, 1e14 Msun, 1e15 Msun", 0, 1e20, "edges of those bins") \
    P(STRING, quenched, "", "sfr / stellar_mass < 1e-11", 0, 0, "rows that count as quenched") \
    P(STRING, quenched_column, "", "stellar_mass", 0, 0, "column in whose bins the quenched fraction is given, of all, centrals and satellites; bins are mass_width wide") \
    P(STRING, threshold_column, "", "stellar_mass", 0, 0, "mass whose thresholds make the samples where the section Samples is empty") \
    P(REALS, thresholds, "Msun", "1e10 Msun, 3.1622776601683795e10 Msun, 1e11 Msun", 0, 1e20, "lower limits of those samples") \
    P(STRINGS, compare, "", "stellar_mass, sfr, gas_mass, bh_mass, z_star, sigma_star, r_star", 0, 0, "columns compared row by row with the catalogue called truth, where both have them") \
    P(BOOL, orphans, "", "false", 0, 0, "also measure every sample without its orphans (NAME_found), and tell how much of wp(rp) below 0.6 Mpc/h is then missing") \
    P(INT, metric_rows, "", "1048576", 100, 1e8, "metrics use every n-th row so that at most about this many enter") \
    P(REAL, slice_depth, "Mpc", "20 Mpc", 0, 1e6, "thickness of the slice maps, 0 = none") \
    P(INT, slice_cells, "", "200", 2, 4096, "cells per side of the slice maps")

#define HG_PARAMS_DESIGN(P) \
    P(STRING, file, "", "design.hdf5", 0, 0, "statistics file of design, relative to Output.folder when it has no slash; the region table NAME_regions.csv, curves and the folder NAME_hulls stand beside it") \
    P(INT, regions, "", "20", 1, 10000, "number of regions to propose") \
    P(REALS, radii, "Mpc", "25 Mpc", 0.01, 1e5, "radii that a region may have") \
    P(REAL, gap, "Mpc", "5 Mpc", 0, 1e5, "least distance between the spheres of two regions") \
    P(INT, candidates, "", "2000", 0, 1000000, "random points of the parent that may become centres") \
    P(INT, peaks, "", "500", 0, 100000, "centrals, the most massive of the parent, that may become centres") \
    P(STRING, cost, "", "1", 0, 0, "cost of a region, an expression of its radius, volume, delta (overdensity of the number of haloes) and content_mass (mean density times volume times 1 + delta), such as 'content_mass / 1e15 Msun'") \
    P(STRING, target, "", "stellar_mass", 0, 0, "target, a logarithm in the model, whose mass function and clustering shall become better known") \
    P(REAL, least, "", "1e11", 1e-300, 1e300, "the mass function counts from here on, in the unit of the target") \
    P(REALS, thresholds, "", "1e11", 1e-300, 1e300, "samples above these values of the target stand for P(k)") \
    P(REAL, width, "", "0.2", 0.05, 2, "width of the bins of the mass function in dex") \
    P(REAL, objects_min, "", "10", 1, 1e12, "bins and samples of fewer objects in the parent do not count") \
    P(REAL, power_weight, "", "0.5", 0, 1, "share of P(k) in what shall fall, against the mass function") \
    P(STRING, mass, "", "m_bound", 0, 0, "expression for the mass of a halo, Msun, in whose bins haloes count as alike") \
    P(REAL, mass_width, "", "0.2", 0.02, 2, "width of these bins in dex") \
    P(INT, environments, "", "3", 1, 16, "classes of the surroundings in every bin of mass") \
    P(REAL, environment_radius, "Mpc", "8 Mpc", 0.01, 1e5, "radius of the sphere with the volume of the cube in which surrounding centrals are counted") \
    P(REAL, region_scatter, "", NULL, 0, 10, "rms in dex of what galaxies of a region have in common beyond their features; default: from the residuals of the model") \
    P(CHOICE, hull, "auto|velocity|sphere", "auto", 0, 0, "points of the Lagrangian region: haloes moved back by their velocity in linear theory, or the sphere itself, grown; auto = velocity where haloes have one") \
    P(REAL, grow, "", "1.2", 1, 10, "factor by which the radius of a region is grown before its Lagrangian region is taken")

#define HG_PARAMS_OUTPUT(P) \
    P(STRING, folder, "", "out", 0, 0, "folder of all outputs, may hold {snap}") \
    P(STRING, catalogue, "", "galaxies", 0, 0, "name of the grafted catalogue without .hdf5") \
    P(BOOL, report, "", "true", 0, 0, "make the HTML report and pictures at the end of run, where Python has matplotlib") \
    P(BOOL, domain, "", "true", 0, 0, "say how each halo stands to the training haloes: columns domain (0 inside, 1 edge, 2 outside), n_eff, n_regions, in_tails and X_spread; without means (Scatter.mean: false) there are none") \
    P(INT, rows_per_part, "", "1048576", 1, 16777216, "haloes in one part of the grafted catalogue, a file with layout parts; a rank holds two parts at a time") \
    P(CHOICE, layout, "parts|shared", "parts", 0, 0, "files of the grafted catalogue: parts = one file per part, with checksums of HDF5, and a master; shared = one file that all ranks write to") \
    P(REAL, space_margin, "", "1.1", 0, 10, "free space wanted before a file is begun, relative to its estimate; 0 = do not look")

#define HG_PARAMS_RUN(P) \
    P(INT, threads, "", "0", 0, 4096, "threads per rank, 0 = OMP_NUM_THREADS or cores over ranks") \
    P(REAL, memory_max, "B", "0 B", 0, 1e18, "memory budget per rank, 0 = no limit") \
    P(REAL, walltime, "s", "0 s", 0, 1e9, "stop at a clean point, with exit code 75, before so much time has passed since the start; --resume goes on; 0 = no limit") \
    P(REAL, hang_timeout, "s", "1800 s", 0, 1e9, "end the run with exit code 9 when a rank shows no progress for so long, or waits for others for twice as long; 0 = never") \
    P(CHOICE, log, "warn|info|debug", "info", 0, 0, "most detailed log level")

#define HG_SECTIONS(S) /* title in files, member of hg_params, table */ \
    S("Meta", meta, HG_PARAMS_META) \
    S("Mock", mock, HG_PARAMS_MOCK) \
    S("Zooms", zooms, HG_PARAMS_ZOOMS) \
    S("Parent", parent, HG_PARAMS_PARENT) \
    S("Convert", convert, HG_PARAMS_CONVERT) \
    S("Selection", selection, HG_PARAMS_SELECTION) \
    S("Match", match, HG_PARAMS_MATCH) \
    S("Environment", environment, HG_PARAMS_ENVIRONMENT) \
    S("History", history, HG_PARAMS_HISTORY) \
    S("Model", model, HG_PARAMS_MODEL) \
    S("Scatter", scatter, HG_PARAMS_SCATTER) \
    S("Validate", validate, HG_PARAMS_VALIDATE) \
    S("Explain", explain, HG_PARAMS_EXPLAIN) \
    S("Measure", measure, HG_PARAMS_MEASURE) \
    S("Design", design, HG_PARAMS_DESIGN) \
    S("Output", output, HG_PARAMS_OUTPUT) \
    S("Run", run, HG_PARAMS_RUN)
/* clang-format on */

#endif
