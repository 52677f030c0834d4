; Prints what CPUID says of a local APIC, of which there is none. A debugger should see 0 in $edx and $ecx, masked, at
; each OUT.
	bits 16
	org 0x1000

	mov eax, 1
	cpuid
	and edx, 1 << 9
	and ecx, 1 << 21 | 1 << 24
	mov eax, edx
	mov dx, 0xe00
	out dx, eax
	mov eax, ecx
	mov dx, 0xe00
	out dx, eax
	mov eax, 0x80000001
	cpuid
	and ecx, 1 << 3
	mov eax, ecx
	mov dx, 0xe00
	out dx, eax
	mov ecx, 0x1b
	rdmsr
	and eax, 0x800
	mov dx, 0xe00
	out dx, eax
	hlt
