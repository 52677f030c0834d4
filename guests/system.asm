; 64-bit code, for --mode=64, that reads the system's registers.
;
; A debugger should be able to write each before, and see it then: GDTR at 0x2000, IDTR at 0x2010, LDTR in
; R8, TR in R9, DR0 to DR3 in R10 to R13, DR7 in R14, CR2 in RBX, CR8 in RBP, the MSRs LSTAR, PAT and
; SYSENTER_ESP at 0x2020, 0x2028 and 0x2030, and KERNEL_GS_BASE in gs_base; the halt is at 0x1076.

	bits 64
	org 0x1000

%macro read 2
	mov ecx, %1
	rdmsr
	mov [%2], eax
	mov [%2 + 4], edx
%endmacro

	sgdt [0x2000]
	sidt [0x2010]
	sldt r8d
	str r9d
	mov r10, dr0
	mov r11, dr1
	mov r12, dr2
	mov r13, dr3
	mov r14, dr7
	mov rbx, cr2
	mov rbp, cr8
	read 0xc0000082, 0x2020
	read 0x277, 0x2028
	read 0x175, 0x2030
	swapgs
	hlt
