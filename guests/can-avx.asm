; 32-bit code, for --mode=32: adds vectors with AVX. Where code is emulated, as by PVM, there is no AVX.
;
; A debugger should be able to set YMM1 and YMM2 at `add`, 0x101b, and see their sum in YMM0 at 0x101f; the
; halt is at 0x1020. Without a debugger they are all zeros.

	bits 32
	org 0x1000

	mov eax, cr4
	or eax, 0x40600	; OSXSAVE, OSXMMEXCPT, OSFXSR
	mov cr4, eax
	xor ecx, ecx
	xor edx, edx
	mov eax, 7	; x87, SSE, AVX
	xsetbv
	vzeroall
	nop
add:	vaddps ymm0, ymm1, ymm2
	hlt
