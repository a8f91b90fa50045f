# SPDX-License-Identifier: GPL-2.0
# Everything a user or a developer does with this tree; "make help" lists it.
# The kernel's own build uses drivers/md/dm-overlaybd/Makefile alone.

KDIR	?= /lib/modules/$(shell uname -r)/build
DESTDIR	?=
prefix	?= /usr/local
MODULE	:= $(CURDIR)/drivers/md/dm-overlaybd

.DEFAULT_GOAL := help
.PHONY: fuzz help demo module tools check check-full check-debug install clean bench bench-all

help: ## this list
	@echo 'Targets:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22

demo: ## see it work in a virtual machine [IMAGE="layer..."]
	@exec tests/demo/run $(IMAGE)

module: ## build dm-overlaybd.ko [KDIR=<kernel build dir>]
	@test -e '$(KDIR)/Makefile' || { \
		echo 'No kernel build directory at $(KDIR).'; \
		echo 'Install the headers of the running kernel (Debian: linux-headers-'"$$(uname -r)"'),'; \
		echo 'or pass those of another: make module KDIR=/usr/src/linux-headers-...'; \
		exit 1; } >&2
	@release=$$(cat '$(KDIR)/include/config/kernel.release' 2>/dev/null); \
	[ -z "$$release" ] || printf '6.12\n%s\n' "$$release" | sort -VC || { \
		echo "Linux $$release is too old, 6.12 is needed (make module KDIR=...)." >&2; \
		exit 1; }
	$(MAKE) -C '$(KDIR)' M='$(MODULE)' CONFIG_DM_OVERLAYBD=m modules

tools: ## build the command tools/overlaybd/overlaybd
	$(MAKE) -C tools/overlaybd

check: ## run the test suite [PARTS="kunit qemu ..."]
	@. tests/lib/common.sh && need_packages python3 && exec tests/check $(PARTS)

check-full: ## the test suite, and what takes too long to be in it
	@. tests/lib/common.sh && need_packages python3 && exec tests/check --full

check-debug: ## the tests on kernels that check themselves, about an hour
	@. tests/lib/common.sh && need_packages python3 && \
		OBD_CHECK_TIMEOUT=9000 exec tests/check --debug

fuzz: ## feed mutated images to everything that parses them [SECONDS=n per target]
	exec tests/fuzz/run $(SECONDS)

bench: ## count the instructions of reads: ours, dm-linear, erofs; some minutes
	tests/bench/run -j "$$(nproc)" bench

bench-all: ## the same for all peers and variants
	tests/bench/run -j "$$(nproc)" all

install: tools ## install the command and its man pages [DESTDIR=] [prefix=/usr/local]
	$(MAKE) -C tools/overlaybd install DESTDIR='$(DESTDIR)' prefix='$(prefix)'

# Not through kbuild: cleaning needs no kernel headers.
clean: ## remove everything that was built
	find '$(MODULE)' \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name Module.symvers -o -name modules.order \) -delete
	rm -rf build tools/overlaybd/overlaybd
